-- Dollars bought for euros are one entry of two lines, and an exchange difference is a line in the base currency alone:
-- an entry of several currencies balances by what its lines are worth in the base currency, and only one whose lines
-- share a currency balances in that too. Such a line may stand on an account kept in another currency; kept balances
-- are by currency, so it gets a row of its own there.
create or replace function check_lines_of_entries() returns trigger language plpgsql as $$
declare
  wrong record;
begin
  select posted.entry_id, posted.unbalanced into wrong
  from (
    select tenant_id, entry_id, sum(line_count) as line_count, max(last_line) as last_line,
           min(first_date) as first_date, max(last_date) as last_date,
           sum(base_difference) <> 0 or bool_or(misstated) or (count(*) = 1 and bool_or(difference <> 0)) as unbalanced
    from (
      select line.tenant_id, line.entry_id, count(*) as line_count, max(line.line_number) as last_line,
             min(line.posting_date) as first_date, max(line.posting_date) as last_date,
             sum(line.debit_minor) - sum(line.credit_minor) as difference,
             sum(line.base_debit_minor) - sum(line.base_credit_minor) as base_difference,
             -- An amount in the base currency is its own base amount.
             bool_or(book.base_currency is null
                     or line.currency = book.base_currency
                        and (line.debit_minor, line.credit_minor) <> (line.base_debit_minor, line.base_credit_minor)
             ) as misstated
      from new_lines as line
      left join accounting.ledger_book as book using (tenant_id)
      group by line.tenant_id, line.entry_id, line.currency
    ) as by_currency
    group by tenant_id, entry_id
  ) as posted
  -- "limit 1" keeps this a look-up by key: a plan made while the table was empty would read all of it for ever.
  left join lateral (
    select journal_entry.line_count, journal_entry.posting_date
    from accounting.journal_entry
    where journal_entry.tenant_id = posted.tenant_id and journal_entry.entry_id = posted.entry_id
    limit 1
  ) as entry on true
  where posted.unbalanced
     or entry.line_count is distinct from posted.line_count
     or posted.last_line > posted.line_count
     or posted.first_date <> entry.posting_date
     or posted.last_date <> entry.posting_date
  limit 1;

  if found and wrong.unbalanced then
    raise exception 'Journal entry % does not balance', wrong.entry_id
      using errcode = 'check_violation', constraint = 'journal_entry_balances';
  elsif found then
    raise exception 'Journal entry % does not have exactly the lines it was made for', wrong.entry_id
      using errcode = 'check_violation', constraint = 'journal_entry_is_complete';
  end if;
  return null;
end $$;
