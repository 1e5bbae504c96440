import { startTestCluster, type TestCluster } from './database-cluster.ts';
import { makeKeysOfRun } from './key-pairs.ts';

declare global {
  var marimoTestCluster: TestCluster | undefined;
}

export default async function setup(): Promise<void> {
  const [cluster] = await Promise.all([startTestCluster(), makeKeysOfRun()]);
  globalThis.marimoTestCluster = cluster;
}
