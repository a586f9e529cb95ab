/** The part of a PostgreSQL client that is used here. */

export type Row = Record<string, unknown>;

export interface Db {
  query(text: string, values?: readonly unknown[]): Promise<Row[]>;
}
