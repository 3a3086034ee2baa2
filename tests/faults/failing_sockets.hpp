// System calls on sockets that fail, for the thread that asks for it. The program under test runs
// on that thread as it is; the simulated server has threads of its own and is left alone.
#pragma once

#include <cstdint>

namespace mirror::faults {

enum class SocketCall { open, connect, read, write };

enum class SocketFailure {
    no_descriptors,  ///< EMFILE
    refused,         ///< ECONNREFUSED
    timed_out,       ///< ETIMEDOUT
    reset,           ///< ECONNRESET
    broken_pipe,     ///< EPIPE
    end,             ///< of a read: as if the other side had closed
};

/// From now on, on this thread: the calls number `nth` (from 1) to `nth + count - 1` of a kind
/// fail.
void fail_sockets(SocketCall call, std::uint64_t nth, std::uint64_t count, SocketFailure how);

/// Nothing fails any more. True if something had.
bool heal_sockets();

}  // namespace mirror::faults
