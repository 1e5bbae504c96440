const pattern = /^([a-z0-9_-]+|\*|#)(\.([a-z0-9_-]+|\*|#))*$/;

/**
 * An AMQP topic pattern (`*` one word, `#` any number of words) as a regular expression over the words of an event
 * type, each preceded by a dot: `.users.registered.v1`. Understood alike by PostgreSQL and JavaScript.
 */
export function topicExpression(binding: string): string {
  if (!pattern.test(binding)) throw new Error(`${binding} is no pattern of event types`);
  const words = binding.split('.').map((word) => {
    if (word === '#') return '(\\.[^.]+)*';
    return word === '*' ? '\\.[^.]+' : `\\.${word}`;
  });
  return `^${words.join('')}$`;
}
