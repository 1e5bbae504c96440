// The package has no types, and its main module would load the whole bundle only to tell this path.
declare module 'swagger-ui-dist/absolute-path.js' {
  export default function absolutePath(): string;
}
