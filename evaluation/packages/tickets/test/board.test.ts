import assert from "node:assert/strict";
import { test } from "node:test";

import { columnsOf, label } from "../src/client/board.js";
import type { Ticket } from "../src/types.js";

const ticket: Ticket = {
  id: 1,
  projectId: 7,
  title: "Lamp is dark",
  status: "open",
  assignee: "ann",
  updatedAt: "2026-03-02",
};

test("a ticket stands in the column of its status", () => {
  assert.deepEqual(columnsOf([ticket]).open, [ticket]);
});

test("the label names who has it", () => {
  assert.equal(label(ticket), "Lamp is dark (ann)");
});
