import { findBinary, requireInfra } from '@marimo/testing';
import { type Browser, chromium, type Page } from 'playwright-core';
import { freshMachine, type RunningPlatform, startPlatformProcess } from './platform-under-test.ts';

jest.setTimeout(180_000);

const executablePath = process.env['CHROMIUM_PATH'] ?? findBinary('chromium');
const quiet = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

requireInfra('chromium', executablePath !== undefined)('in a browser', () => {
  let machine: Awaited<ReturnType<typeof freshMachine>>;
  let platform: RunningPlatform;
  let browser: Browser;

  beforeAll(async () => {
    machine = await freshMachine();
    platform = await startPlatformProcess(machine);
    browser = await chromium.launch({ executablePath: executablePath as string, args: quiet });
  });

  afterAll(async () => {
    await browser?.close();
    await platform?.interrupt();
    machine?.remove();
  });

  /** Opens a page and notes everything that a visitor's browser would hold against it. */
  async function open(path: string, locale: string): Promise<{ page: Page; complaints: string[] }> {
    const context = await browser.newContext({ locale });
    const page = await context.newPage();
    const complaints: string[] = [];
    page.on('console', (message) => {
      if (message.type() === 'error') complaints.push(`${message.text()} ${message.location().url}`);
    });
    page.on('pageerror', (error) => complaints.push(error.message));
    page.on('request', (request) => {
      if (!request.url().startsWith(platform.origin) && !request.url().startsWith('data:'))
        complaints.push(request.url());
    });
    const answer = await page.goto(platform.origin + path);
    if (answer?.status() !== 200) complaints.push(`${path} answers ${answer?.status()}`);
    return { page, complaints };
  }

  it.each([
    ['ru-RU', 'ru', 'Документация'],
    ['en-GB', 'en', 'documentation'],
  ])('the first page speaks the language of a visitor from %s', async (locale, language, word) => {
    const { page, complaints } = await open('/', locale);
    expect(await page.getAttribute('html', 'lang')).toBe(language);
    expect(await page.textContent('body')).toMatch(new RegExp(word, 'i'));
    expect(complaints).toEqual([]);
  });

  it('the documentation shows every service, asks nobody else for anything, and obeys its own policy', async () => {
    const { page, complaints } = await open('/docs', 'en-GB');
    await page.waitForSelector('.opblock-summary');
    const services = ['users', 'accounting', 'workers'];
    const shown = new Set<string>();
    // Only what is in sight is drawn, so one has to scroll, as a reader does.
    for (let tries = 0; tries < 300 && shown.size < services.length; tries += 1) {
      const paths = (await page.locator('.opblock-summary-path').allInnerTexts()).join(' ');
      const readable = paths.replaceAll('\u200b', ''); // stands where a path may break
      for (const service of services) if (readable.includes(`/api/v1/${service}/`)) shown.add(service);
      await page.mouse.wheel(0, 500);
    }
    expect([...shown].sort()).toEqual([...services].sort());
    expect(complaints).toEqual([]);
  });

  it('the first page leads to the documentation with the keyboard alone', async () => {
    const { page } = await open('/', 'en-GB');
    for (let presses = 0; presses < 10; presses += 1) {
      await page.keyboard.press('Tab');
      if ((await page.locator(':focus').getAttribute('href')) === '/docs') break;
    }
    await page.keyboard.press('Enter');
    await page.waitForURL(`${platform.origin}/docs`);
  });
});
