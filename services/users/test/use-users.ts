import { type ServiceUnderTest, type ServiceUnderTestOptions, useService } from '@marimo/testing';
import { usersService } from '../service.ts';

/** Users for the tests of this file or `describe`, where each call says who makes it. */
export function useUsers(options: Omit<ServiceUnderTestOptions, 'as'> = {}): ServiceUnderTest {
  return useService(usersService({ passwordCost: 4 }), { as: null, ...options });
}
