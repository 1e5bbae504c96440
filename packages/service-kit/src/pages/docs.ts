import { static as files, Router } from 'express';
import absolutePath from 'swagger-ui-dist/absolute-path.js';

const shell = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>API</title>
<link rel="icon" href="/docs/assets/favicon-32x32.png">
<link rel="stylesheet" href="/docs/assets/swagger-ui.css">
</head>
<body>
<div id="api"></div>
<script src="/docs/assets/swagger-ui-bundle.js"></script>
<script src="/docs/start.js"></script>
</body>
</html>
`;

const start = `SwaggerUIBundle({ url: '/openapi.json', dom_id: '#api', deepLinking: true, validatorUrl: null });\n`;

/** Nothing from elsewhere and no script in the page; Swagger UI sets styles on its elements and draws icons as data. */
const policy =
  "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; " +
  "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/** The documentation at `/docs`, from files on this disk, over the `/openapi.json` beside it. */
export function docsPages(): Router {
  const router = Router();
  router.use('/docs', (_, res, next) => {
    res.setHeader('content-security-policy', policy);
    next();
  });
  router.get('/docs', (_, res) => {
    res.type('html').end(shell);
  });
  router.get('/docs/start.js', (_, res) => {
    res.type('js').end(start);
  });
  router.use('/docs/assets', files(absolutePath(), { index: false, fallthrough: true, maxAge: '1h' }));
  return router;
}
