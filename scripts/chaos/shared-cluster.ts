import { findBinary } from '@marimo/testing';
import { type Cluster, startCluster } from './cluster.ts';

let started: Cluster | undefined;
beforeAll(async () => {
  if (findBinary('consul') !== undefined) started = await startCluster();
});
afterAll(() => started?.stop());

/** Of this file of tests, while they run. */
export const cluster = new Proxy({} as Cluster, {
  get(_, member) {
    if (started === undefined) throw new Error('The cluster exists only while tests run');
    return Reflect.get(started, member);
  },
});
