// A system resolver that never answers: the worst that a dead name server can do. Creates the file
// that $STUCK_RESOLVER_ASKED names when it is asked.
#include <cstdlib>
#include <fcntl.h>
#include <netdb.h>
#include <unistd.h>

extern "C" int getaddrinfo(const char* /*node*/, const char* /*service*/, const addrinfo* /*hints*/,
                           addrinfo** /*result*/) {
    if (const char* const file = std::getenv("STUCK_RESOLVER_ASKED")) {
        close(open(file, O_WRONLY | O_CREAT, 0600));
    }
    for (;;) {
        pause();
    }
}
