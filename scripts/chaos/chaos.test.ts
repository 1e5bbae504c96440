// Both run on one cluster: starting it takes longer than half of what is tried on it.
import './on-the-cluster/rights-end.ts';
import './on-the-cluster/outages.ts';

jest.setTimeout(300_000);
