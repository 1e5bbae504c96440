import { startTestCluster, type TestCluster } from './database-cluster.ts';

declare global {
  var marimoTestCluster: TestCluster | undefined;
}

export default async function setup(): Promise<void> {
  globalThis.marimoTestCluster = await startTestCluster();
}
