#include "tests/end_to_end/peak_memory.hpp"

#include <fstream>

namespace mirror::test {

std::uint64_t peak_memory(pid_t process) {
    std::ifstream status("/proc/" + std::to_string(process) + "/status");
    std::string word;
    while (status >> word) {
        std::uint64_t kilobytes = 0;
        if (word == "VmHWM:" && status >> kilobytes) {
            return kilobytes * 1024;
        }
    }
    return 0;
}

}  // namespace mirror::test
