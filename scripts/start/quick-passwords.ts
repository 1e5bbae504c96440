// Loaded before the platforms under test: at its usual cost bcrypt would take half of their time. The services themselves
// offer no such choice to an operator.
import { createRequire } from 'node:module';

const requireOfUsers = createRequire(new URL('../../services/users/package.json', import.meta.url));
const bcrypt: {
  hash(text: string, cost: number): Promise<string>;
  genSaltSync(cost: number): string;
} = requireOfUsers('bcrypt');

const { hash, genSaltSync } = bcrypt;
bcrypt.hash = (text) => hash(text, 4);
bcrypt.genSaltSync = () => genSaltSync(4);
