// The topics heard so far, as a tree with counts. Bounded, as a stranger chooses their names.

export const kTopicsMax = 2000;

export interface Branch { name: string; path: string; count: number; children: Map<string, Branch> }

export class TopicTree {
  readonly root: Branch = { name: '', path: '', count: 0, children: new Map() };
  private size = 0;
  // Messages on topics for which there was no room.
  beyond = 0;

  add(topic: string): void {
    this.root.count += 1;
    let at = this.root;
    for (const name of topic.split('/')) {
      let child = at.children.get(name);
      if (!child) {
        if (this.size >= kTopicsMax) {
          this.beyond += 1;
          return;
        }
        this.size += 1;
        child = { name, path: at === this.root ? name : `${at.path}/${name}`, count: 0, children: new Map() };
        at.children.set(name, child);
      }
      child.count += 1;
      at = child;
    }
  }
}

// Is `topic` below `path`, or it?
export function isBelow(topic: string, path: string): boolean {
  return path === '' || topic === path || topic.startsWith(`${path}/`);
}
