-- Old jobs are deleted by their organisation's own transactions, which let go of their files too: the relay cannot.
do $$ begin
  execute format('revoke delete on job from %I', current_schema() || '_relay');
end $$;
