export { type Coding, codingFor } from './codings.ts';
export { encodeAnswer } from './encode-answer.ts';
