import { createHash } from 'node:crypto';

const style =
  'body{font:1.1rem/1.6 system-ui,sans-serif;max-width:38rem;margin:12vh auto;padding:0 1rem;color:#1b1b1b}a{color:#0b57a4}';
export const homePolicy = `default-src 'none'; style-src 'sha256-${createHash('sha256').update(style).digest('base64')}'; frame-ancestors 'none'`;

const texts = {
  en: {
    lead: 'This is the entry to the platform: every service answers under <code>/api/v1/</code>.',
    docs: 'API documentation',
    health: 'Health of the services',
    portal: 'The web portal will open here.',
  },
  ru: {
    lead: 'Это вход в платформу: все сервисы отвечают по адресам <code>/api/v1/</code>.',
    docs: 'Документация API',
    health: 'Состояние сервисов',
    portal: 'Здесь откроется веб-портал.',
  },
} as const;

/** What stands at `/` until the portal does. */
export function homePage(language: keyof typeof texts): string {
  const { lead, docs, health, portal } = texts[language];
  return `<!doctype html>
<html lang="${language}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Marimo ERP</title>
<style>${style}</style>
</head>
<body>
<h1>Marimo ERP</h1>
<p>${lead}</p>
<p><a href="/docs">${docs}</a><br><a href="/health">${health}</a></p>
<p>${portal}</p>
</body>
</html>
`;
}
