// Runs a function in a child process and keeps what it said: for mistakes that end the process.
#pragma once

#include <string>

struct ChildResult {
  bool died = false;   // by a signal or with a status that is not 0
  std::string output;  // stdout and stderr
};
ChildResult run_in_child(void (*function)(void*), void* argument);
