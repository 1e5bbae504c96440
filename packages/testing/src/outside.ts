// What stands outside the platform, for tests: programs of their own and a network that fails on command. Needs no
// other package, so that the tests of the lowest ones can use it.
export { fetchedBinaries, findBinary } from './binaries.ts';
export { type PrivateRabbitmq, startRabbitmq } from './broker.ts';
export { isSoak, randomFrom, runSeed, tries } from './chance.ts';
export { type PrivateConsul, startConsul } from './consul.ts';
export { type Fault, type FaultProxy, faultProxy } from './fault-proxy.ts';
export { freePorts } from './free-ports.ts';
export { requireInfra } from './infra.ts';
export { OtlpReceiver, type SentSpan } from './otlp-receiver.ts';
export { type PrivateProcess, type ProcessOptions, startPrivateProcess } from './private-process.ts';
export { type PrivateRedis, startRedis } from './redis.ts';
export { type ProgramToKill, runUntilKilled } from './run-until-killed.ts';
export { type S3Server, type S3ServerOptions, startS3Server } from './s3/server.ts';
export { until } from './until.ts';
