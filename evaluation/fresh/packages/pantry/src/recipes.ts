import { mayRead, type Person } from "./people.js";

export interface Part {
  food: string;
  grams: number;
}

export interface Recipe {
  id: string;
  title: string;
  parts: Part[];
}

export class Forbidden extends Error {}

export class Recipes {
  readonly #all = new Map<string, Recipe>();

  put(recipe: Recipe): void {
    this.#all.set(recipe.id, recipe);
  }

  /** Return a recipe, undefined if there is none; throws Forbidden. */
  async get(person: Person, id: string): Promise<Recipe | undefined> {
    if (!mayRead(person, id)) {
      throw new Forbidden(id);
    }
    return this.#all.get(id);
  }

  async all(): Promise<Recipe[]> {
    return [...this.#all.values()];
  }
}
