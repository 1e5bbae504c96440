import { explainAndExit } from './failures.ts';

/** The first Ctrl-C stops cleanly; a second one does not wait. */
export function stopOnSignals(stop: () => Promise<void>): void {
  let asked = false;
  const onSignal = () => {
    if (asked) process.exit(130);
    asked = true;
    console.log('\nStopping: finishing what is running …');
    stop().then(
      () => process.exit(0),
      (error) => explainAndExit(error),
    );
  };
  process.on('SIGINT', onSignal);
  process.on('SIGTERM', onSignal);
}

export function onceOnly(work: () => Promise<void>): () => Promise<void> {
  let running: Promise<void> | undefined;
  return () => {
    running ??= work();
    return running;
  };
}
