import type { ServiceDefinition } from '@marimo/service-kit';
import { type ServiceUnderTest, type ServiceUnderTestOptions, serviceUnderTest } from './service.ts';

/**
 * A service for the tests of this file or `describe`: started before the first, stopped after the last. Its members
 * exist once the tests run.
 */
export function useService(
  definition: ServiceDefinition,
  options?: ServiceUnderTestOptions,
): ServiceUnderTest {
  let started: ServiceUnderTest | undefined;
  beforeAll(async () => {
    started = await serviceUnderTest(definition, options);
  });
  afterAll(() => started?.stop());
  return new Proxy({} as ServiceUnderTest, {
    get(_, member) {
      if (started === undefined) throw new Error('The service under test exists only while tests run');
      return Reflect.get(started, member);
    },
  });
}
