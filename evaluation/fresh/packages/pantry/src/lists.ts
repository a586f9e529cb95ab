import type { Person } from "./people.js";
import type { Recipes } from "./recipes.js";

/** Return what to buy for some recipes, in grams by food; unknown recipes are left out. */
export async function shopping(
  recipes: Recipes,
  person: Person,
  ids: string[],
): Promise<Map<string, number>> {
  const grams = new Map<string, number>();
  for (const id of ids) {
    const recipe = await recipes.get(person, id);
    for (const part of recipe?.parts ?? []) {
      grams.set(part.food, (grams.get(part.food) ?? 0) + part.grams);
    }
  }
  return grams;
}
