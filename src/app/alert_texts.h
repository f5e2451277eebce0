// app/alert_texts.h: do the texts that alerts send say only what is known?
//
// In/out:  a stack -> more mistakes in its list, each at its place in the file.
// Threads: a pure function.
#pragma once

#include "stack/stack.h"

namespace nilo::app {

// Names in ${...}: those of the alert itself, thing.<property>, and the columns of tables about
// things. Appends to `loaded.diagnostics`.
void check_alert_texts(stack::Loaded& loaded);

}  // namespace nilo::app
