#include "tests/fuzz/target.hpp"

namespace mirror::fuzz {

const std::vector<Target>& targets() {
    static const std::vector<Target> all{
        {"page", page},     {"gzip", gzip},       {"reply", reply},
        {"config", config}, {"times", times},     {"spans", spans},
        {"urls", urls},     {"privacy", privacy}, {"statistics", statistics},
    };
    return all;
}

}  // namespace mirror::fuzz
