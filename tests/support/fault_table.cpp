#include "tests/support/fault_table.hpp"

#include <cstdlib>
#include <fstream>
#include <sstream>
#include <utility>

namespace mirror::test {

FaultClass::FaultClass(std::string area, std::string fault)
    : area_(std::move(area)), fault_(std::move(fault)) {}

FaultClass::~FaultClass() {
    const char* const file = std::getenv("FAULT_TABLE");
    if (file == nullptr || *file == '\0') {
        return;
    }
    std::ostringstream line;
    line << area_ << '\t' << fault_ << '\t' << cases_ << '\t' << passed_ << '\n';
    // One write a line: test programs run side by side and share the file.
    std::ofstream(file, std::ios::app) << line.str() << std::flush;
}

}  // namespace mirror::test
