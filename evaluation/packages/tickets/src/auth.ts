/** Users and what they may see. */

import type { Db } from "./db.js";
import { Forbidden } from "./errors.js";

export type Role = "member" | "agent";

export interface User {
  name: string;
}

/** Return the user's role in a project; Forbidden for somebody who is no member. */
export async function roleIn(db: Db, user: User, projectId: number): Promise<Role> {
  const rows = await db.query("SELECT role FROM members WHERE project_id = $1 AND name = $2", [
    projectId,
    user.name,
  ]);
  const role = rows[0]?.role;
  if (role !== "member" && role !== "agent") {
    throw new Forbidden(`${user.name} is no member of project ${projectId}`);
  }
  return role;
}

/** Forbidden for somebody who is no agent of a project. */
export async function requireAgent(db: Db, user: User, projectId: number): Promise<void> {
  if ((await roleIn(db, user, projectId)) !== "agent") {
    throw new Forbidden(`${user.name} is no agent of project ${projectId}`);
  }
}
