// The fuzzed parts of the program, one function each: what comes from outside goes in, and what
// must hold of any input is checked. libFuzzer calls them with inputs it makes up, the corpus test
// with the files of tests/fuzz/corpus.
#pragma once

#include <cstddef>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace mirror::fuzz {

/// Something that must hold of any input did not.
class Broken : public std::logic_error {
  public:
    using std::logic_error::logic_error;
};

inline void require(bool holds, const std::string& what) {
    if (!holds) {
        throw Broken(what);
    }
}

/// A number that depends on the whole input (FNV-1a): where to cut it, how large its pieces are.
/// So an input file is nothing but the input.
inline std::uint64_t number_of(std::string_view input) {
    std::uint64_t hash = 14695981039346656037U;
    for (const char c : input) {
        hash = (hash ^ static_cast<unsigned char>(c)) * 1099511628211U;
    }
    return hash;
}

/// Each throws Broken, or dies of a sanitizer. What the code under test throws by its contract is
/// expected; any other exception comes through, and is a failure, too.
void page(std::string_view input);        ///< a body: PageDecoder, against Boost.JSON's DOM
void gzip(std::string_view input);        ///< a gzip stream: Inflate, against zlib in one call
void reply(std::string_view input);       ///< what a server sends: HttpApi, over a socket
void config(std::string_view input);      ///< a configuration file
void times(std::string_view input);       ///< a text: all readers of times and numbers
void spans(std::string_view input);       ///< numbers: zones, spans of windows, sets of windows
void urls(std::string_view input);        ///< a text: base URL, redirect, query, text for people
void privacy(std::string_view input);     ///< an address, or JSON: what is kept of it
void statistics(std::string_view input);  ///< a body: the statistics of a mailing

struct Target {
    const char* name;
    void (*run)(std::string_view input);
};

/// All of them; a target's corpus is the folder of its name.
const std::vector<Target>& targets();

}  // namespace mirror::fuzz
