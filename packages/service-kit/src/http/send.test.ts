import { BadUpstream, endpoint, Unavailable } from '@marimo/contracts';
import { z } from 'zod';
import { type KitUnderTest, kitUnderTest } from '../../test/kit-under-test.ts';
import { handle } from '../index.ts';

const needs = (name: string) =>
  endpoint({
    method: 'GET',
    path: `/api/v1/test/needs-${name}`,
    summary: '',
    access: 'public',
    replies: { 200: z.null() },
  });
const absent = needs('absent');
const broken = needs('broken');

let kit: KitUnderTest;
beforeAll(async () => {
  kit = await kitUnderTest([
    handle(absent, () => Promise.reject(new Unavailable({ service: 'users' }))),
    handle(broken, () => Promise.reject(new BadUpstream({ service: 'chat' }))),
  ]);
});
afterAll(() => kit.stop());

describe('a service that cannot do without another', () => {
  it.each([
    [absent, 503, 'users'],
    [broken, 502, 'chat'],
  ])('says in a header which one is away, so that nobody blames it', async ({ path }, status, about) => {
    const answer = await fetch(kit.url + path);
    expect(answer.status).toBe(status);
    expect(answer.headers.get('x-marimo-about')).toBe(about);
  });
});
