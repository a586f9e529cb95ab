import def, { a as b, type C } from "./mod";
import * as ns from 'ns';
import "./effect";
export { x as y, b } from "./other";
export * from "./all";
import fs = require("fs");
const lazy = () => import("./lazy");
const { q, r: renamed } = require("./cjs");

export interface Shape<T> extends Base, ns.Other<T> {
  area(scale: number, unit?: string): T;
  readonly name: string;
}
export type Alias = Shape<C> | null;
enum Color { Red, Green = compute() }
export abstract class Circle extends Root.Base implements Shape<number> {
  private static count = 0;
  #secret: Alias;
  handler = (e: Event) => this.area(e.detail);
  constructor(private readonly x: number, ...rest: string[]) {
    super(x);
    this.#secret = new Alias.Maker(x, ...rest);
  }
  @log("debug_mode") get size(): number { return this.x; }
  private hide() {}
}
function local({ a, b: c = DEFAULT }: Props, [first] = LIST) {
  const inner = function (z) { return z?.deep!.value; };
  let v = a as Alias, w;
  w = inner(c, { key: v, short, [computed]: 1, run() { go(); } });
  obj.field = w; obj["index_name"] = `${v} text`;
  for (const item of items) item.run`tpl`;
  try { risky(); } catch (err) { label: throw err; }
}
export default class extends Circle {}
export const LIMIT = 10, makeIt = async <T,>(n: T): Promise<T> => n;
declare module "ext" { function outer(s: string): void; }
namespace Space.Inner { export const deep = 1; }
export { local as renamedLocal };
export declare function ambient(this: Window, n?: number): void;
export declare abstract class Base<T = Alias> { protected abstract go(): Promise<T>; }
declare const globalThing: Shape<C>;
