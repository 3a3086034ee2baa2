// The fuzzers' corpora as plain tests: each file, and what a few thousand seeded changes make of
// them. Whatever a fuzzer finds becomes a file of a corpus.
#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "tests/fuzz/target.hpp"
#include "tests/paths.hpp"
#include "tests/support/fault_table.hpp"

using namespace mirror;
using namespace mirror::fuzz;

namespace {

struct Input {
    std::string name;
    std::string bytes;
};

std::vector<Input> corpus(const Target& target) {
    const auto folder = std::filesystem::path(test::project_root) / "tests/fuzz/corpus";
    std::vector<Input> inputs;
    for (const auto& file : std::filesystem::directory_iterator(folder / target.name)) {
        std::ifstream in(file.path(), std::ios::binary);
        inputs.push_back({file.path().filename().string(),
                          {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()}});
        REQUIRE(!in.bad());
    }
    // The order of a directory is anybody's.
    std::sort(inputs.begin(), inputs.end(),
              [](const Input& a, const Input& b) { return a.name < b.name; });
    return inputs;
}

// One input out of two, the way that a fuzzer begins.
class Changes {
  public:
    explicit Changes(unsigned seed) : random_(seed) {}

    std::size_t below(std::size_t bound) { return random_() % bound; }

    std::string change(std::string bytes, const std::string& other) {
        for (std::size_t times = 1 + below(4); times > 0; --times) {
            change_once(bytes, other);
        }
        return bytes;
    }

  private:
    void change_once(std::string& bytes, const std::string& other) {
        const std::size_t at = below(bytes.size() + 1);
        const std::size_t length = below(1 + std::min<std::size_t>(bytes.size() - at, 40));
        switch (below(5)) {
            case 0:  // a bit
                if (at < bytes.size()) {
                    bytes[at] = static_cast<char>(bytes[at] ^ (1 << below(8)));
                }
                break;
            case 1:
                bytes.erase(at, length);
                break;
            case 2:  // said twice
                bytes.insert(at, bytes.substr(at, length));
                break;
            case 3:  // cut off
                bytes.resize(at);
                break;
            default:  // a piece of another input
                const std::size_t from = below(other.size() + 1);
                bytes.insert(at, other.substr(from, below(60)));
        }
    }

    std::mt19937 random_;
};

void run(const Target& target, const std::string& name, const std::string& bytes,
         test::FaultClass& fault) {
    CAPTURE(std::string(target.name));
    CAPTURE(name);
    fault.begin();
    bool passed = false;
    try {
        target.run(bytes);
        passed = true;
    } catch (const std::exception& broken) {
        const std::string why = broken.what();
        FAIL_CHECK(why, "\n", bytes);
    }
    if (passed) {
        fault.passed();
    }
}

}  // namespace

TEST_CASE("fuzz: what must hold of any input holds of the corpora") {
    for (const Target& target : targets()) {
        CAPTURE(std::string(target.name));
        test::FaultClass fault("fuzz", std::string(target.name) + ": corpus");
        const std::vector<Input> inputs = corpus(target);
        CHECK(inputs.size() >= 5);
        for (const Input& input : inputs) {
            run(target, input.name, input.bytes, fault);
        }
        run(target, "nothing", "", fault);
    }
}

TEST_CASE("fuzz: what must hold of any input holds of corpora that were changed") {
    constexpr unsigned seeds = 1000;
    for (const Target& target : targets()) {
        CAPTURE(std::string(target.name));
        test::FaultClass fault("fuzz", std::string(target.name) + ": corpus, changed");
        const std::vector<Input> inputs = corpus(target);
        for (unsigned seed = 0; seed < seeds; ++seed) {
            Changes changes(seed);
            const Input& one = inputs[changes.below(inputs.size())];
            const Input& other = inputs[changes.below(inputs.size())];
            run(target, one.name + ", seed " + std::to_string(seed),
                changes.change(one.bytes, other.bytes), fault);
        }
    }
}
