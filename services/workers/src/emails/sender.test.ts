import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { newId } from '@marimo/contracts';
import { createLog, createMetrics } from '@marimo/observability';
import { kitMigrations } from '@marimo/service-kit';
import { freePorts, testClock, testTenantId, useDatabase } from '@marimo/testing';
import { SMTPServer } from 'smtp-server';
import { filePostbox, type Postbox, smtpPostbox } from './postbox.ts';
import { sendDue } from './sender.ts';
import { type NewEmail, queueEmail } from './store.ts';

const minutes = 60_000;
const from = 'Marimo <noreply@marimo.example>';
const migrations = new URL('../../migrations/', import.meta.url);
const db = useDatabase({ schema: 'workers', folders: [...kitMigrations, migrations] });
const clock = testClock();

const lines: string[] = [];
const log = createLog({ service: 'workers', level: 'info', write: (line) => lines.push(line) });
const deps = () => ({ database: db.database, clock: clock.now, log, metrics: createMetrics('workers') });

/** A mail server that keeps what it accepts, and says no when the test wants it to. */
class MailServer {
  readonly received: { readonly to: string[]; readonly message: string }[] = [];
  refusal: { readonly code: number; readonly to: string } | undefined;
  /** What it says to the sender's own address, or nothing. */
  senderRefusal: number | undefined;
  #server: SMTPServer | undefined;
  readonly port: number;

  constructor(port: number) {
    this.port = port;
  }

  get url() {
    return `smtp://127.0.0.1:${this.port}`;
  }

  async start(): Promise<void> {
    const server = new SMTPServer({
      authOptional: true,
      disabledCommands: ['STARTTLS'],
      onMailFrom: ({ address }, _, done) => {
        const { senderRefusal: responseCode } = this;
        if (responseCode === undefined) return done();
        done(Object.assign(new Error(`<${address}> may not send here`), { responseCode }));
      },
      onRcptTo: ({ address }, _, done) => {
        const { refusal } = this;
        if (refusal?.to !== address) return done();
        done(Object.assign(new Error(`<${address}> is not wanted`), { responseCode: refusal.code }));
      },
      onData: (stream, { envelope }, done) => {
        let message = '';
        stream.on('data', (chunk: Buffer) => {
          message += chunk.toString();
        });
        stream.on('end', () => {
          this.received.push({ to: envelope.rcptTo.map(({ address }) => address), message });
          done();
        });
      },
    });
    server.on('error', () => {});
    this.#server = server;
    await new Promise<void>((resolve) => server.listen(this.port, '127.0.0.1', () => resolve()));
  }

  async stop(): Promise<void> {
    const server = this.#server;
    if (server !== undefined) await new Promise<void>((resolve) => server.close(() => resolve()));
    this.#server = undefined;
  }

  header(name: string, of = this.received.at(-1)): string | undefined {
    const head = of?.message.slice(0, of.message.indexOf('\r\n\r\n')).replaceAll(/\r\n[ \t]+/g, ' ');
    return head?.split('\r\n').find((line) => line.toLowerCase().startsWith(`${name.toLowerCase()}:`));
  }
}

async function queue(changes: Partial<NewEmail> = {}): Promise<string> {
  const emailId = newId();
  await db.database.inTenant(testTenantId, (tx) =>
    queueEmail(tx, {
      emailId,
      kind: 'welcome',
      personId: null,
      recipient: 'anna@example.com',
      recipientName: 'Анна',
      subject: 'Добро пожаловать',
      text: 'Здравствуйте',
      html: '<p>Здравствуйте</p>',
      createdAt: clock.now(),
      ...changes,
    }),
  );
  return emailId;
}

const emailRow = async (emailId: string) =>
  (
    await db.rows<{ email_id: string; state: string; attempts: number; last_failure: string | null }>('email')
  ).find((row) => row.email_id === emailId);

beforeEach(async () => {
  await db.sql('delete from email_due');
  lines.length = 0;
});

describe('sending mail to a mail server', () => {
  let server: MailServer;
  let postbox: Postbox;
  beforeEach(async () => {
    const [port = 0] = await freePorts(1);
    server = new MailServer(port);
    await server.start();
    postbox = smtpPostbox(server.url, from);
  });
  afterEach(async () => {
    postbox.close();
    await server.stop();
  });

  it('sends each mail once, also when several senders work at once', async () => {
    const ids = await Promise.all(Array.from({ length: 25 }, () => queue()));
    await Promise.all([sendDue(deps(), postbox), sendDue(deps(), postbox), sendDue(deps(), postbox)]);
    await sendDue(deps(), postbox);
    expect(server.received).toHaveLength(25);
    expect(new Set(server.received.map((mail) => server.header('message-id', mail)))).toEqual(
      new Set(ids.map((id) => `Message-ID: <${id}@marimo.example>`)),
    );
    for (const id of ids) expect(await emailRow(id)).toMatchObject({ state: 'sent', attempts: 1 });
    expect(await db.rows('email_due')).toEqual([]);
  });

  it('tries again while the server is down, and sends it once when it is back', async () => {
    const id = await queue();
    await server.stop();
    await sendDue(deps(), postbox);
    expect(await emailRow(id)).toMatchObject({
      state: 'waiting',
      attempts: 1,
      last_failure: expect.any(String),
    });
    clock.advance(9_000);
    await sendDue(deps(), postbox);
    expect(await emailRow(id)).toMatchObject({ attempts: 1 }); // not yet
    clock.advance(1_000);
    await sendDue(deps(), postbox);
    expect(await emailRow(id)).toMatchObject({ state: 'waiting', attempts: 2 });

    await server.start();
    clock.advance(minutes);
    await sendDue(deps(), postbox);
    await sendDue(deps(), postbox);
    expect(server.received).toHaveLength(1);
    expect(await emailRow(id)).toMatchObject({ state: 'sent', attempts: 3 });
  });

  it('gives up after eight attempts in a day, and lets everyone see it', async () => {
    const id = await queue();
    await server.stop();
    for (let hour = 0; hour < 48; hour += 1) {
      await sendDue(deps(), postbox);
      clock.advance(60 * minutes);
    }
    expect(await emailRow(id)).toMatchObject({
      state: 'given-up',
      attempts: 8,
      last_failure: expect.any(String),
    });
    expect(await db.rows('email_due')).toEqual([]);
  });

  it('gives up at once on a mailbox the server will never take, and keeps its address out of the log', async () => {
    server.refusal = { code: 550, to: 'gone@example.com' };
    const id = await queue({ recipient: 'gone@example.com' });
    const other = await queue();
    await sendDue(deps(), postbox);
    expect(await emailRow(id)).toMatchObject({ state: 'given-up', attempts: 1 });
    expect(await emailRow(other)).toMatchObject({ state: 'sent' });
    expect(lines.join()).not.toContain('gone@example.com');
  });

  it('tries again when the server does not let us send at all, which is ours to mend', async () => {
    server.senderRefusal = 553;
    const id = await queue();
    await sendDue(deps(), postbox);
    expect(await emailRow(id)).toMatchObject({ state: 'waiting', attempts: 1 });
    server.senderRefusal = undefined;
    clock.advance(minutes);
    await sendDue(deps(), postbox);
    expect(await emailRow(id)).toMatchObject({ state: 'sent', attempts: 2 });
  });

  it('notes what a server says, also what the database could not keep', async () => {
    const id = await queue();
    const failing = { send: () => Promise.reject(new Error('452 not\0now')), close: () => {} };
    await sendDue(deps(), failing);
    expect(await emailRow(id)).toMatchObject({ attempts: 1, last_failure: '452 not\ufffdnow' });
  });

  it('keeps nothing of what a mail said once it is sent or given up: a link in it opens an account', async () => {
    server.refusal = { code: 450, to: 'full@example.com' };
    const said = { text: 'https://erp.example/#/secret', html: '<p>https://erp.example/#/secret</p>' };
    const sent = await queue(said);
    const waiting = await queue({ ...said, recipient: 'full@example.com' });
    await sendDue(deps(), postbox);
    expect(server.received.at(-1)?.message).toContain('secret');
    expect(await emailRow(sent)).toMatchObject({ state: 'sent', subject: 'Добро пожаловать', text_body: '' });
    expect(JSON.stringify(await emailRow(sent))).not.toContain('secret');
    expect(await emailRow(waiting)).toMatchObject({ state: 'waiting', text_body: said.text });

    server.refusal = { code: 550, to: 'full@example.com' };
    clock.advance(minutes);
    await sendDue(deps(), postbox);
    expect(await emailRow(waiting)).toMatchObject({ state: 'given-up', text_body: '', html_body: '' });
  });

  it('keeps no address of who was erased, once the last mail to them is sent or given up', async () => {
    server.refusal = { code: 550, to: 'nobody@example.com' };
    const refused = await queue({ kind: 'erased', recipient: 'nobody@example.com' });
    const sent = await queue({ kind: 'erased' });
    await sendDue(deps(), postbox);
    expect(server.received).toHaveLength(1);
    expect([await emailRow(refused), await emailRow(sent)]).toMatchObject([
      { state: 'given-up', recipient: '', html_body: '', last_failure: null },
      { state: 'sent', recipient: '', recipient_name: '', subject: '', text_body: '' },
    ]);
  });

  it('tries again when the server refuses only for now', async () => {
    server.refusal = { code: 450, to: 'full@example.com' };
    const id = await queue({ recipient: 'full@example.com' });
    await sendDue(deps(), postbox);
    expect(await emailRow(id)).toMatchObject({ state: 'waiting', attempts: 1 });
  });

  it('sends under the same Message-ID when it died between sending and noting it', async () => {
    const id = await queue();
    // What a kill leaves behind: the mail is out, and nothing is written about it.
    const dying = { ...deps(), database: { ...db.database, inTenant: dyingAfterRead() } };
    await expect(sendDue(dying, postbox)).rejects.toThrow('killed');
    expect(await emailRow(id)).toMatchObject({ state: 'waiting', attempts: 0 });

    await sendDue(deps(), postbox);
    expect(server.received).toHaveLength(1); // whoever took it might still be at it
    clock.advance(3 * minutes);
    await sendDue(deps(), postbox);
    expect(server.received.map((mail) => server.header('message-id', mail))).toEqual([
      `Message-ID: <${id}@marimo.example>`,
      `Message-ID: <${id}@marimo.example>`,
    ]);
    expect(await emailRow(id)).toMatchObject({ state: 'sent' });
  });

  it.each([
    ['a line break in the subject', { subject: 'Hello\r\nBcc: eve@example.com' }],
    ['a line break in the name', { recipientName: 'Anna\r\nBcc: eve@example.com' }],
    ['an address in the name', { recipientName: 'Anna <eve@example.com>, Eve' }],
    ['a quote in the name', { recipientName: '"Anna" <eve@example.com>,' }],
    ['a line break in the address', { recipient: 'anna@example.com\r\nBcc: eve@example.com' }],
    ['two addresses in one', { recipient: 'anna@example.com,eve@example.com' }],
  ])('sends to nobody else because of %s', async (_, changes) => {
    await queue(changes);
    await sendDue(deps(), postbox);
    expect(server.received.flatMap(({ to }) => to)).not.toContain('eve@example.com');
    for (const mail of server.received) {
      expect(server.header('bcc', mail)).toBeUndefined();
      expect(server.header('to', mail)?.match(/<[^>]*>$/)?.[0]).toContain('anna@example.com');
    }
  });
});

/** Reads as ever; whatever would be written is lost with the process. */
function dyingAfterRead(): typeof db.database.inTenant {
  return (tenantId, work, options) =>
    options?.readOnly === true
      ? db.database.inTenant(tenantId, work, options)
      : Promise.reject(new DOMException('killed', 'AbortError'));
}

describe('mail without a mail server', () => {
  let home: string;
  beforeEach(async () => {
    home = await mkdtemp(join(tmpdir(), 'marimo-mail-'));
  });
  afterEach(() => rm(home, { recursive: true, force: true }));

  it('is kept as one file, however often it is sent, and the log says so without the address', async () => {
    const folder = join(home, 'mail');
    const postbox = filePostbox(folder, from, log);
    const id = await queue();
    await sendDue(deps(), postbox);
    await db.sql(
      `update email set state = 'waiting', sent_at = null, next_attempt_at = now() where email_id = $1`,
      [id],
    );
    await db.sql('insert into email_due values ($1, $2, $3)', [testTenantId, id, clock.now()]);
    await sendDue(deps(), postbox);

    const files = await readdir(folder);
    expect(files).toEqual([`${clock.now().toISOString().replaceAll(':', '-')}-${id}.eml`]);
    const message = await readFile(join(folder, files[0] ?? ''), 'utf8');
    expect(message).toContain(`Message-ID: <${id}@marimo.example>`);
    expect(message).toMatch(/^To: .*<anna@example\.com>$/m);
    const line = lines
      .map((text) => JSON.parse(text))
      .find((entry) => JSON.stringify(entry).includes(files[0] ?? ''));
    expect(line).toBeDefined();
    expect(JSON.stringify(line)).not.toContain('anna@example.com');
  });

  it('is tried again when the disk is in the way', async () => {
    const id = await queue();
    await writeFile(join(home, 'mail'), 'a file where the folder should be');
    await sendDue(deps(), filePostbox(join(home, 'mail'), from, log));
    expect(await emailRow(id)).toMatchObject({ state: 'waiting', attempts: 1 });
  });
});
