import { MeasureError } from './failure.ts';

/** ISO 4217 codes by how many decimals their minor unit has. Source: the standard's list one, as of 2026. */
const byDecimals = {
  0: 'BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF',
  2: `AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BMD BND BOB BOV BRL BSD BTN BWP BYN BZD CAD CDF CHE CHF CHW
    CNY COP COU CRC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GTQ GYD HKD HNL HTG HUF IDR
    ILS INR IRR JMD KES KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MXV
    MYR MZN NAD NGN NIO NOK NPR NZD PAB PEN PGK PHP PKR PLN QAR RON RSD RUB SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD
    SSP STN SVC SYP SZL THB TJS TMT TOP TRY TTD TWD TZS UAH USD USN UYU UZS VED VES WST XCD XCG YER ZAR ZMW ZWG
    ANG BGN HRK`, // the last three are withdrawn, and old books still hold them
  3: 'BHD IQD JOD KWD LYD OMR TND',
  4: 'CLF UYW',
} as const;

const decimalsOf = new Map(
  Object.entries(byDecimals).flatMap(([decimals, codes]) =>
    codes.split(/\s+/).map((code) => [code, Number(decimals)] as const),
  ),
);

export const currencyCodes: readonly string[] = [...decimalsOf.keys()].sort();

export function isCurrencyCode(code: string): boolean {
  return decimalsOf.has(code);
}

/** How many decimals the currency's minor unit has: 2 for RUB, 0 for JPY, 3 for KWD. */
export function currencyDecimals(code: string): number {
  const decimals = decimalsOf.get(code);
  if (decimals === undefined) {
    throw new MeasureError('unknown-currency', 'must be an ISO 4217 currency code such as RUB');
  }
  return decimals;
}
