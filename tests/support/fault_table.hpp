// The table of the faults that packaging/check tried: class, cases, results.
#pragma once

#include <cstddef>
#include <string>

namespace mirror::test {

/// One class of faults, tried in many cases. When it goes, it appends a line `area TAB fault TAB
/// cases TAB passed` to the file that the environment variable FAULT_TABLE names, if it names one.
/// A case that threw, or that failed before `passed()`, counts as tried and not passed.
class FaultClass {
  public:
    /// `area`: "network", "server", "tls", "disk", "database", "memory", …; `fault` is for people:
    /// "a read fails". Neither holds tabs or line ends.
    FaultClass(std::string area, std::string fault);
    ~FaultClass();
    FaultClass(const FaultClass&) = delete;
    FaultClass& operator=(const FaultClass&) = delete;

    void begin() { ++cases_; }
    void passed() { ++passed_; }

  private:
    std::string area_;
    std::string fault_;
    std::size_t cases_ = 0;
    std::size_t passed_ = 0;
};

}  // namespace mirror::test
