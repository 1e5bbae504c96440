export { type Certificate, type CertificateOptions, readCertificate } from './certificate.ts';
export { createFront } from './front.ts';
export { overHttp1 } from './pages-over-http2.ts';
export type { Front, FrontParts } from './parts.ts';
