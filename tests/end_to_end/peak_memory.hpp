// How much memory another process has needed so far.
#pragma once

#include <cstdint>
#include <string>
#include <sys/types.h>

namespace mirror::test {

/// True if sanitizers keep memory of their own, which says nothing about ours.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
inline constexpr bool memory_is_ours = false;
#else
inline constexpr bool memory_is_ours = true;
#endif

/// The most that the process had in memory at a time (VmHWM of proc(5)), in bytes; 0 if it has
/// ended. It may be asked by any thread.
std::uint64_t peak_memory(pid_t process);

}  // namespace mirror::test
