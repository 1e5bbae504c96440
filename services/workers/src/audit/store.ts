import type { Envelope } from '@marimo/contracts';
import type { audit } from '@marimo/contracts/workers';
import type { TenantTransaction } from '@marimo/postgres';
import { canonicalJson } from './canonical.ts';

/** What the first record of a chain is chained to. */
const noHash = `'\\x${'00'.repeat(32)}'::bytea`;

/**
 * The hash of a record: SHA-256 over the hash before it and its content, each field as `<bytes>:<text>,`
 * (https://cr.yp.to/proto/netstrings.txt), so that no text can pass for two fields. It is spelled out here and not kept
 * as a function in the database, which could be replaced together with the records.
 */
function hashOf(previousHash: string, fields: readonly string[]): string {
  const content = fields.map((field) => `octet_length(${field}) || ':' || ${field} || ','`).join(' || ');
  return `sha256(${previousHash} || convert_to(${content}, 'UTF8'))`;
}

const recordFields = [
  'tenant_id::text',
  'event_id::text',
  'type',
  'source',
  'subject',
  `coalesce(actor_id::text, '')`,
  `coalesce(request_id, '')`,
  `to_char(occurred_at at time zone 'utc', 'YYYY-MM-DD"T"HH24:MI:SS.US')`,
  'data',
];

const insertSql = `
  with recursive event as (
    select $1::uuid as tenant_id, given.*
    from unnest($4::uuid[], $5::text[], $6::text[], $7::text[], $8::uuid[], $9::text[], $10::timestamptz[], $11::text[])
      with ordinality as given (event_id, type, source, subject, actor_id, request_id, occurred_at, data, place)
  ), link as (
    select 0::bigint as place, ''::bytea as previous_hash, $3::bytea as hash
    union all
    select event.place, link.hash, ${hashOf('link.hash', recordFields)}
    from link join event on event.place = link.place + 1
  ), record as (
    insert into audit_record (tenant_id, sequence, event_id, type, source, subject, actor_id, request_id, occurred_at,
                              data, previous_hash, hash)
    select tenant_id, $2::bigint + place, event_id, type, source, subject, actor_id, request_id, occurred_at,
           data, previous_hash, hash
    from event join link using (place)
  )
  select $2::bigint + place as sequence, previous_hash as "previousHash", hash
  from link order by place desc limit 1`;

interface Head {
  readonly sequence: bigint;
  readonly previousHash: Buffer;
  readonly hash: Buffer;
}

/** Adds the next records of the tenant's chain, in this order. Writers of one tenant wait for each other at its head. */
export async function appendRecords(tx: TenantTransaction, envelopes: readonly Envelope[]): Promise<void> {
  const head = (await lockHead(tx)) ?? (await lockNewHead(tx));
  const values = [
    envelopes.map(({ id }) => id),
    envelopes.map(({ type }) => type),
    envelopes.map(({ source }) => source),
    envelopes.map(({ subject }) => subject),
    envelopes.map(({ actorid }) => actorid ?? null),
    envelopes.map(({ requestid }) => requestid ?? null),
    envelopes.map(({ time }) => time),
    envelopes.map(({ data }) => canonicalJson(data)),
  ];
  const last = await tx.first<Head>(
    insertSql,
    [tx.tenantId, head.sequence, head.hash, ...values],
    'audit_insert_records',
  );
  await tx.run(
    'update audit_head set sequence = $2, previous_hash = $3, hash = $4 where tenant_id = $1',
    [tx.tenantId, last?.sequence, last?.previousHash, last?.hash],
    'audit_update_head',
  );
}

/** The end of the tenant's chain, held until the transaction ends. */
function lockHead(tx: TenantTransaction): Promise<Head | undefined> {
  return tx.first<Head>(
    `select sequence, previous_hash as "previousHash", hash from audit_head where tenant_id = $1 for update`,
    [tx.tenantId],
    'audit_lock_head',
  );
}

/** Of a tenant without records. */
async function lockNewHead(tx: TenantTransaction): Promise<Head> {
  const sql = `insert into audit_head (tenant_id, sequence, previous_hash, hash) values ($1, 0, ${noHash}, ${noHash})
               on conflict do nothing`;
  await tx.run(sql, [tx.tenantId]);
  const head = await lockHead(tx);
  if (head === undefined) throw new Error('The head of the audit is not there');
  return head;
}

export interface RecordFilter {
  readonly type?: string | undefined;
  readonly subject?: string | undefined;
  readonly actor?: string | undefined;
  readonly from?: Date | undefined;
  readonly to?: Date | undefined;
  /** Only records before this one. */
  readonly after: readonly [sequence: number] | undefined;
  readonly limit: number;
}

interface RecordRow extends Omit<audit.AuditRecord, 'sequence' | 'data'> {
  readonly sequence: bigint;
  readonly data: string;
}

/** Newest first. */
export async function listRecords(tx: TenantTransaction, filter: RecordFilter): Promise<audit.AuditRecord[]> {
  const { type, subject, actor, from, to, after: [before] = [], limit } = filter;
  const rows = await tx.rows<RecordRow>(
    `select sequence, event_id as "eventId", type, subject, source, actor_id as "actorId",
            request_id as "requestId", occurred_at as "time", data,
            encode(previous_hash, 'hex') as "previousHash", encode(hash, 'hex') as hash
       from audit_record
      where tenant_id = $1
        and ($2::text is null or type = $2)
        and ($3::text is null or subject = $3)
        and ($4::uuid is null or actor_id = $4)
        and ($5::timestamptz is null or occurred_at >= $5)
        and ($6::timestamptz is null or occurred_at < $6)
        and ($7::bigint is null or sequence < $7)
      order by sequence desc
      limit $8`,
    [
      tx.tenantId,
      type ?? null,
      subject ?? null,
      actor ?? null,
      from ?? null,
      to ?? null,
      before ?? null,
      limit,
    ],
  );
  return rows.map(({ sequence, data, ...row }) => ({
    ...row,
    sequence: Number(sequence),
    data: JSON.parse(data),
  }));
}

const verifySql = `
  with start as (
    select coalesce(max(sequence), 0) as sequence, coalesce((array_agg(hash))[1], ${noHash}) as hash
      from audit_start where tenant_id = $1
  ), chain as (
    select record.sequence, previous_hash, record.hash, ${hashOf('previous_hash', recordFields)} as computed,
           lag(record.sequence, 1, start.sequence) over in_order as before_sequence,
           lag(record.hash, 1, start.hash) over in_order as before_hash
      from audit_record as record cross join start
     where tenant_id = $1
    window in_order as (order by record.sequence)
  ), broken as (
    select case when sequence <> before_sequence + 1 then before_sequence + 1 else sequence end as sequence,
           case when sequence <> before_sequence + 1 then 'missing'
                when previous_hash <> before_hash then 'out-of-place'
                else 'edited' end as problem
      from chain
     where sequence <> before_sequence + 1 or previous_hash <> before_hash or hash <> computed
     order by chain.sequence
     limit 1
  ), tail as (
    select count(record.sequence) as records, coalesce(max(record.sequence), max(start.sequence)) as sequence
      from start left join audit_record as record on record.tenant_id = $1
  )
  select tail.records, tail.sequence as "lastSequence",
         coalesce((select hash from audit_record where tenant_id = $1 and sequence = tail.sequence), start.hash)
           = head.hash as "sameHash",
         coalesce(head.sequence, 0) as "headSequence",
         encode(coalesce(head.hash, ${noHash}), 'hex') as "headHash",
         start.sequence as "startSequence", encode(start.hash, 'hex') as "startHash",
         broken.sequence as "brokenSequence", broken.problem
    from tail cross join start
    left join audit_head head on head.tenant_id = $1
    left join broken on true`;

export interface ChainState {
  readonly records: bigint;
  readonly lastSequence: bigint;
  /** Whether the last record's hash is the head's; null when there is no record or no head. */
  readonly sameHash: boolean | null;
  readonly headSequence: bigint;
  readonly headHash: string;
  /** The last record that was forgotten; 0 where none was. */
  readonly startSequence: bigint;
  readonly startHash: string;
  readonly brokenSequence: bigint | null;
  readonly problem: 'missing' | 'out-of-place' | 'edited' | null;
}

/** Recomputes every hash of the tenant, in one statement and so over one moment. */
export async function readChain(tx: TenantTransaction): Promise<ChainState> {
  const state = await tx.first<ChainState>(verifySql, [tx.tenantId]);
  if (state === undefined) throw new Error('An aggregate always has one row');
  return state;
}
