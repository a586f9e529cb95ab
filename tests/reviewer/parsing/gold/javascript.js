'use strict';
const path = require('path'), { join } = require('./join');
const helper = require('./helper').help;
var count = 0;

function Animal(name, age = 1, ...others) {
  this.name = name;
  count += others.length;
}
Animal.prototype.speak = function (loud) {
  return path.join(this.name, ...loud);
};
class Dog extends mixin(Animal) {
  static kinds = [];
  run = () => { this.go(); };
  *walk() { yield super.speak(1); }
  set speed(v) { this._speed = v; }
}
const api = {
  get(url) { return fetch(url).then(r => r.json()); },
  post: async (url, body) => send(url, body),
  count,
};
module.exports = { api, Dog };
exports.extra = () => new Dog('rex', { age: 2 });
if (process.env.DEBUG) { const debug = require('debug'); debug(`x`); }
export { api as client };
export default function () {}
