export { type Certificate, type CertificateOptions, readCertificate } from './certificate.ts';
export { createFront, type Front, type FrontParts } from './front.ts';
export { overHttp1 } from './pages-over-http2.ts';
