import { useWholePlatform } from './whole-platform.ts';

/** One for all guards: starting it takes longer than most of them. At its most talkative, for the secrets' sake. */
export const whole = useWholePlatform({ LOG_LEVEL: 'debug' });
