#include "tests/faults/failing_sockets.hpp"

#include <cerrno>
#include <dlfcn.h>
#include <optional>
#include <sys/socket.h>
#include <sys/types.h>

namespace mirror::faults {
namespace {

struct Plan {
    SocketCall call;
    std::uint64_t nth;
    std::uint64_t count;
    SocketFailure how;
};

thread_local std::optional<Plan> plan;
thread_local std::uint64_t calls = 0;
thread_local bool failed = false;

// How this call fails, if it does.
std::optional<SocketFailure> failure_of(SocketCall call) {
    if (!plan || plan->call != call) {
        return std::nullopt;
    }
    ++calls;
    if (calls < plan->nth || calls >= plan->nth + plan->count) {
        return std::nullopt;
    }
    failed = true;
    return plan->how;
}

// What a failed call returns.
int result_of(SocketFailure how) {
    switch (how) {
        case SocketFailure::no_descriptors:
            errno = EMFILE;
            return -1;
        case SocketFailure::refused:
            errno = ECONNREFUSED;
            return -1;
        case SocketFailure::timed_out:
            errno = ETIMEDOUT;
            return -1;
        case SocketFailure::reset:
            errno = ECONNRESET;
            return -1;
        case SocketFailure::broken_pipe:
            errno = EPIPE;
            return -1;
        case SocketFailure::end:
            return 0;
    }
    return -1;
}

template <typename Function>
Function* real(const char* name) {
    return reinterpret_cast<Function*>(::dlsym(RTLD_NEXT, name));
}

}  // namespace

void fail_sockets(SocketCall call, std::uint64_t nth, std::uint64_t count, SocketFailure how) {
    plan = Plan{call, nth, count, how};
    calls = 0;
    failed = false;
}

bool heal_sockets() {
    plan.reset();
    return failed;
}

}  // namespace mirror::faults

// These stand before the C library's in the search for symbols.

using mirror::faults::SocketCall;

extern "C" {

int socket(int domain, int type, int protocol) noexcept {
    static auto* const next = mirror::faults::real<int(int, int, int)>("socket");
    if (const auto failure = mirror::faults::failure_of(SocketCall::open)) {
        return mirror::faults::result_of(*failure);
    }
    return next(domain, type, protocol);
}

int connect(int descriptor, const sockaddr* address, socklen_t size) {
    static auto* const next = mirror::faults::real<int(int, const sockaddr*, socklen_t)>("connect");
    if (const auto failure = mirror::faults::failure_of(SocketCall::connect)) {
        return mirror::faults::result_of(*failure);
    }
    return next(descriptor, address, size);
}

ssize_t recv(int descriptor, void* into, size_t size, int flags) {
    static auto* const next = mirror::faults::real<ssize_t(int, void*, size_t, int)>("recv");
    if (const auto failure = mirror::faults::failure_of(SocketCall::read)) {
        return mirror::faults::result_of(*failure);
    }
    return next(descriptor, into, size, flags);
}

ssize_t recvmsg(int descriptor, msghdr* message, int flags) {
    static auto* const next = mirror::faults::real<ssize_t(int, msghdr*, int)>("recvmsg");
    if (const auto failure = mirror::faults::failure_of(SocketCall::read)) {
        return mirror::faults::result_of(*failure);
    }
    return next(descriptor, message, flags);
}

ssize_t send(int descriptor, const void* from, size_t size, int flags) {
    static auto* const next = mirror::faults::real<ssize_t(int, const void*, size_t, int)>("send");
    if (const auto failure = mirror::faults::failure_of(SocketCall::write)) {
        return mirror::faults::result_of(*failure);
    }
    return next(descriptor, from, size, flags);
}

ssize_t sendmsg(int descriptor, const msghdr* message, int flags) {
    static auto* const next = mirror::faults::real<ssize_t(int, const msghdr*, int)>("sendmsg");
    if (const auto failure = mirror::faults::failure_of(SocketCall::write)) {
        return mirror::faults::result_of(*failure);
    }
    return next(descriptor, message, flags);
}

}  // extern "C"
