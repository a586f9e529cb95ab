export interface Person {
  name: string;
  /** Guests read what is shared with them; members of the household read all and write. */
  member: boolean;
  /** Ids of recipes that are shared with a guest. */
  shared: string[];
}

/** Whether somebody may read a recipe. */
export function mayRead(person: Person, recipeId: string): boolean {
  return person.member || person.shared.includes(recipeId);
}
