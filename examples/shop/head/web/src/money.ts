/** Amounts are in the currency's main unit: 12.5 is twelve euros fifty. */
export function money(amount: number, currency: string, language: string): string {
  return new Intl.NumberFormat(language, { style: "currency", currency }).format(amount);
}

/** Adds amounts of one currency without the dust that binary fractions leave. */
export function sum(amounts: readonly number[]): number {
  return amounts.reduce((total, amount) => Math.round((total + amount) * 100) / 100, 0);
}
