// docs/queries.md: each query is run on the account that the document names, and its answer is the
// one in the document. With COPERNICA_MIRROR_WRITE_QUERIES set, the answers are written anew, to be
// read and committed.
#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <string>
#include <vector>

#include <SQLiteCpp/SQLiteCpp.h>
#include <doctest/doctest.h>

#include "core/time/text.hpp"
#include "tests/end_to_end/scene.hpp"
#include "tests/paths.hpp"

using namespace mirror;
using namespace mirror::test;

namespace {

constexpr const char* sql_fence = "```sql\n";
constexpr const char* answer_fence = "```text\n";
constexpr const char* fence = "```\n";

void change(const std::filesystem::path& file, const std::string& sql) {
    SQLite::Database database(file.string(), SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE);
    database.exec(sql);
}

std::string replaced(std::string text, const std::string& from, const std::string& to) {
    for (auto at = text.find(from); at != std::string::npos; at = text.find(from, at + to.size())) {
        text.replace(at, from.size(), to);
    }
    return text;
}

// Opens the file that a query begins in, and carries out all of its statements but the last.
class Question {
  public:
    Question(const std::filesystem::path& directory, const std::string& text)
        : database_((directory / (text.starts_with("-- in crm.db") ? "crm.db" : "impressions.db"))
                        .string(),
                    SQLite::OPEN_READONLY | SQLite::OPEN_URI) {
        const std::string local = replaced(text, "'file:", "'file:" + directory.string() + "/");
        std::size_t begin = 0;
        for (auto end = local.find(";\n"); end != std::string::npos;
             end = local.find(";\n", begin)) {
            if (!last_.empty()) {
                database_.exec(last_);
            }
            last_ = local.substr(begin, end - begin);
            begin = end + 2;
        }
    }

    std::string answer() {
        SQLite::Statement statement(database_, last_);
        std::vector<std::vector<std::string>> rows(1);
        for (int column = 0; column < statement.getColumnCount(); ++column) {
            rows.front().emplace_back(statement.getColumnName(column));
        }
        while (statement.executeStep()) {
            std::vector<std::string>& row = rows.emplace_back();
            for (int column = 0; column < statement.getColumnCount(); ++column) {
                row.push_back(statement.getColumn(column).getString());
            }
        }
        return rows.size() == 1 ? "(no rows)\n" : table(rows);
    }

    std::vector<std::string> plan() {
        SQLite::Statement statement(database_, "EXPLAIN QUERY PLAN " + last_);
        std::vector<std::string> steps;
        while (statement.executeStep()) {
            steps.push_back(statement.getColumn(3).getString());
        }
        return steps;
    }

  private:
    static std::size_t characters_of(const std::string& text) {
        return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), [](char c) {
            return (static_cast<unsigned char>(c) & 0xc0U) != 0x80U;
        }));
    }

    static std::string table(const std::vector<std::vector<std::string>>& rows) {
        std::string text;
        for (const auto& row : rows) {
            std::string line;
            for (std::size_t column = 0; column < row.size(); ++column) {
                std::size_t width = 0;
                for (const auto& other : rows) {
                    width = std::max(width, characters_of(other[column]));
                }
                line += row[column] + std::string(width - characters_of(row[column]) + 2, ' ');
            }
            text += line.substr(0, line.find_last_not_of(' ') + 1) + "\n";
        }
        return text;
    }

    SQLite::Database database_;
    std::string last_;
};

// The document with the answer to each of its queries behind it.
std::string answered(const std::string& document,
                     const std::function<std::string(const std::string& query)>& answer) {
    std::string text;
    std::size_t at = 0;
    for (auto begin = document.find(sql_fence); begin != std::string::npos;
         begin = document.find(sql_fence, at)) {
        begin += std::string(sql_fence).size();
        const auto end = document.find(fence, begin);
        const std::string query = document.substr(begin, end - begin);
        text += document.substr(at, begin - at) + query + fence + "\n" + answer_fence +
                answer(query) + fence;
        at = end + std::string(fence).size();
        // The answer that is there.
        if (document.compare(at, 1 + std::string(answer_fence).size(),
                             std::string("\n") + answer_fence) == 0) {
            at = document.find(fence, at + 1 + std::string(answer_fence).size()) +
                 std::string(fence).size();
        }
    }
    return text + document.substr(at);
}

bool has(const std::string& text, const std::string& part) {
    return text.find(part) != std::string::npos;
}

// If an index fits the conditions, no table is scanned. Grouped values are not looked up row by
// row, except for UTC, which has no number. SQLite makes no index for one query, except over the
// groups of mailing_results, of which there is one for each mailing.
void judge_plan(const std::string& query, const std::vector<std::string>& steps) {
    const bool narrow = has(query, "timestamp >= '") || has(query, "mailing = 401\n") ||
                        has(query, "changed_at, id) >");
    for (const std::string& step : steps) {
        CAPTURE(step);
        CHECK_FALSE((has(step, "AUTOMATIC") && !has(query, "mailing_results")));
        const bool scans_rows =
            step.starts_with("SCAN") && has(step, "impression_rows") && !has(step, "USING");
        CHECK_FALSE((narrow && scans_rows));
        CHECK_FALSE(
            (has(query, "GROUP BY") && has(step, "CORRELATED") && !has(query, "unix_time")));
    }
}

}  // namespace

TEST_CASE("queries: the answers on the demonstration account are those in the document") {
    Scene scene;
    demonstrate(scene);
    scene.configure(
        "mirror", "streams = \"all\"\nindexes = [\"mailing\", \"destination\", \"changed_at\"]\n");
    const Run run = scene.run({"sync"});
    CAPTURE(run.err);
    REQUIRE(run.code == 0);
    // The moment of the sync is not the same each time.
    change(scene.database(), "UPDATE impression_rows SET changed_at = 1795000000");
    change(scene.directory() / "crm.db",
           "CREATE TABLE customers (profile INTEGER PRIMARY KEY, segment TEXT);"
           "WITH RECURSIVE n(i) AS (SELECT 13000 UNION ALL SELECT i + 1 FROM n WHERE i < 16000) "
           "INSERT INTO customers SELECT i, CASE i % 3 WHEN 0 THEN 'gold' WHEN 1 THEN 'silver' "
           "ELSE 'new' END FROM n");
    const auto path = std::filesystem::path(project_root) / "docs" / "queries.md";
    const std::string document = bytes_of(path);
    std::size_t queries = 0;
    const std::string text = answered(document, [&](const std::string& query) {
        CAPTURE(query);
        ++queries;
        Question question(scene.directory(), query);
        judge_plan(query, question.plan());
        return question.answer();
    });
    CHECK(queries >= 25);
    if (std::getenv("COPERNICA_MIRROR_WRITE_QUERIES") != nullptr) {
        std::ofstream(path) << text;
    }
    CHECK(bytes_of(path) == text);
}
