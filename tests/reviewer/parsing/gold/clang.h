#include <stdio.h>
#include "lib/util.h"
#define LIMIT 10
#define SQUARE(x) ((x) * (x))

typedef unsigned int uint_t;
typedef struct node { int value; struct node *next, *prev; } Node;
typedef int (*callback)(int code, void *data);

struct point { uint_t x; };
enum color { RED, GREEN = LIMIT };
union both { int i; float f; };

extern int counter;
static int hidden = 3, *pointer;
int prototype(const char *name, int count, ...);
void empty(void);

static Node *make(struct point *p, int values[LIMIT]) {
    Node *fresh = malloc(sizeof(Node)), other;
    fresh->value = p->x + values[0];
    other.next = fresh;
    if (!fresh) goto fail;
    callback cb = (callback)handler;
    for (int i = 0; i < LIMIT; i++) cb(i, &fresh->next);
    puts("some_name");
    return fresh;
fail:
    return (Node *)0;
}

int table[] = { RED, sizeof(struct point), SQUARE(2) };
const struct point origin = { .x = 1 };
