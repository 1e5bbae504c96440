import { MethodNotAllowed } from '@marimo/contracts';

/** Whatever is asked here or of a service; HTTP/2 lets a client invent others. */
export const methods = ['GET', 'HEAD', 'OPTIONS', 'POST', 'PUT', 'PATCH', 'DELETE'];

export function requireMethod(method = ''): void {
  if (!methods.includes(method)) throw new MethodNotAllowed({ allowed: methods });
}

/** A label of metrics: inventions must not fill the memory. */
export function methodLabel(method = ''): string {
  return methods.includes(method) ? method : 'other';
}
