import { mayRead, type Person } from "./people.js";
import type { Recipe, Recipes } from "./recipes.js";

/** Return the recipes that somebody may read and whose title has a word, by title. */
export async function search(recipes: Recipes, person: Person, word: string): Promise<Recipe[]> {
  const wanted = word.toLowerCase();
  const found = (await recipes.all())
    .filter((one) => mayRead(person, one.id))
    .filter((one) => one.title.toLowerCase().includes(wanted));
  return found.sort((a, b) => a.title.localeCompare(b.title));
}
