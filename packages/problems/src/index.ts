export { kindOf, Problem, problemContentType, problemType, statusOf, toProblem } from './problem.ts';
export {
  type DeclaredRefusal,
  type FieldError,
  Refusal,
  type RefusalClass,
  type RefusalDefinition,
  type RefusalKind,
  refusal,
} from './refusal.ts';
