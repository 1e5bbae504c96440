import { newId } from '@marimo/contracts';
import { labelMistakes, type ParsedQuery } from '@marimo/contracts/records';
import type { TenantTransaction } from '@marimo/postgres';
import { isSoak, useService } from '@marimo/testing';
import {
  differencesFromTable,
  explaining,
  insertManyTools,
  rentalInvoices,
  shelves,
  toolService,
  tools,
} from '@marimo/testing/records';
import { listForMirror, listRecords, type MirrorQuery, summariseRecords } from './index.ts';

const service = useService(toolService);

describe('the declaration of a record', () => {
  it.each([[tools.record], [shelves.record], [rentalInvoices.record]])(
    'agrees with its table and has all its labels: $fullName',
    async (record) => {
      expect(await differencesFromTable(record as never, 'config', service.database.sql)).toEqual([]);
      expect(labelMistakes(record as never)).toEqual([]);
    },
  );

  it('is told what its table lacks', async () => {
    const record = {
      ...tools.record,
      key: ['name'],
      grammar: {
        ...tools.record.grammar,
        sorts: ['name'],
        fields: { ...tools.record.grammar.fields, kind: tools.record.fields.pieces },
      },
    };
    expect(await differencesFromTable(record as never, 'config', service.database.sql)).toEqual([
      'tool.kind is text, not bigint',
      'tool has no index for the sort name: name',
      'tool may hold name twice',
    ]);
  });
});

describe('a list of many organisations', () => {
  const tenantIds = Array.from({ length: 50 }, newId);
  const [tenantId = ''] = tenantIds;
  const record = tools.record as never;
  beforeAll(
    () => insertManyTools(service.database, { tools: isSoak ? 1_000_000 : 50_000, tenantIds }),
    600_000,
  );

  /** As the service's own role. */
  async function stepsOf(work: (tx: TenantTransaction) => Promise<unknown>) {
    return service.database.database.inTenant(tenantId, async (plain) => {
      const { tx, steps } = explaining(plain);
      await work(tx);
      return steps.filter((step) => step['Relation Name'] === 'tool' || step['Index Cond'] !== undefined);
    });
  }
  const listed = (query: ParsedQuery) => stepsOf((tx) => listRecords(tx, record, { limit: 50, ...query }));

  const filters: ParsedQuery[] = [
    { kind: ['hand'] },
    { kind: ['hand', 'power'] },
    { 'boughtOn.from': '2024-01-01', 'boughtOn.to': '2024-01-31' },
    { 'boughtOn.empty': true },
    { 'price.min': '10.00' },
    { 'price.currency': ['EUR'] },
    { 'lengthMetres.max': '0.5' },
    { 'name.contains': 'дрел' },
    { 'code.starts': 'T-0000' },
    { code: ['T-00000050'] },
    { isLent: [true] },
    { tags: ['tag7'] },
    { state: ['new'], archived: [false] },
    { text: 'молотки' },
    { text: 'малаток' },
  ];

  it.each(filters)('reads no other organisation’s rows with the filter %j', async (query) => {
    for (const each of [query, { ...query, count: true }]) {
      const steps = await listed(each);
      expect(steps.map((step) => step['Node Type'])).not.toContain('Seq Scan');
      expect(steps.some((step) => step['Index Cond']?.includes('tenant_id'))).toBe(true);
    }
  });

  it.each([
    'code',
    '-code',
    '-boughtOn,code',
    'boughtOn,-code',
    'price',
    '-price',
    'lengthMetres',
    '-lengthMetres',
  ])('reads a page in the order of %s without sorting, also behind a cursor', async (sort) => {
    const page = await service.database.database.inTenant(tenantId, (tx) =>
      listRecords(tx, record, { limit: 50, sort }),
    );
    for (const after of [undefined, page.next]) {
      const steps = await listed({ sort, ...(after != null && { after }) });
      const scans = steps.filter((step) => step['Relation Name'] === 'tool');
      expect(scans.map((step) => step['Node Type'])).not.toContain('Seq Scan');
      expect(scans.every((step) => step['Index Cond']?.includes('tenant_id'))).toBe(true);
      const sorted = steps.filter((step) => step['Node Type'] === 'Sort');
      expect(sorted.filter((step) => step['Relation Name'] === 'tool')).toEqual([]);
    }
  });

  it.each<[string, Partial<MirrorQuery>]>([
    ['from the first on', {}],
    ['behind an id', { after: newId() }],
    ['of what was changed since', { changedFrom: new Date() }],
    ['with these ids', { ids: [newId(), newId()] }],
  ])('reads a page for mirrors from the rows of one organisation: those %s', async (_, query) => {
    const page = { fields: ['code'], limit: 500, ...query };
    const steps = await stepsOf((tx) => listForMirror(tx, record, page));
    expect(steps.map((step) => step['Node Type'])).not.toContain('Seq Scan');
    expect(steps.some((step) => step['Index Cond']?.includes('tenant_id'))).toBe(true);
  });

  it('summarises the rows of one organisation', async () => {
    const timeZone = async () => 'UTC';
    const steps = await stepsOf((tx) =>
      summariseRecords(tx, record, { by: ['kind'], sum: ['price'] }, { timeZone }),
    );
    expect(steps.map((step) => step['Node Type'])).not.toContain('Seq Scan');
  });
});
