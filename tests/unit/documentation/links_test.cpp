// The documents among themselves: links, paths, the index, the README's length.
#include <algorithm>
#include <cctype>
#include <filesystem>
#include <vector>

#include <doctest/doctest.h>

#include "tests/paths.hpp"
#include "tests/unit/documentation/documents.hpp"

using namespace mirror;
using namespace mirror::test;

namespace {

// All files that people read, from the root.
std::vector<std::string> all_documents() {
    std::vector<std::string> paths{"README.md", "CONTRIBUTING.md", "SECURITY.md", "CHANGELOG.md"};
    for (const auto& entry :
         std::filesystem::directory_iterator(std::filesystem::path(test::project_root) / "docs")) {
        if (entry.path().extension() == ".md") {
            paths.push_back("docs/" + entry.path().filename().string());
        }
    }
    return paths;
}

bool exists(const std::filesystem::path& path) {
    return std::filesystem::exists(test::project_root / path);
}

// What a web page of the document calls its heading.
std::string anchor_of(const std::string& heading) {
    std::string anchor;
    for (const char character : heading) {
        const auto byte = static_cast<unsigned char>(character);
        if (character == ' ') {
            anchor += '-';
        } else if (std::isalnum(byte) != 0 || character == '-' || character == '_') {
            anchor += static_cast<char>(std::tolower(byte));
        }
    }
    return anchor;
}

Names anchors_of(const std::string& path) {
    Names anchors;
    for (const std::string& heading : test::headings(document(path))) {
        anchors.insert(anchor_of(heading));
    }
    return anchors;
}

}  // namespace

TEST_CASE("documentation: the README is short, and the index of docs is complete") {
    const std::string readme = document("README.md");
    CHECK(std::count(readme.begin(), readme.end(), '\n') <= 200);
    const std::string index = document("docs/README.md");
    for (const std::string& path : all_documents()) {
        if (path.starts_with("docs/") && path != "docs/README.md") {
            CAPTURE(path);
            CHECK(mentions(index, "](" + path.substr(5) + ")"));
        }
    }
}

TEST_CASE("documentation: every link leads somewhere") {
    std::size_t links = 0;
    for (const std::string& path : all_documents()) {
        CAPTURE(path);
        const std::string text = document(path);
        Names all = matches(text, R"(\]\(([^)\s]+)\))");
        all.merge(matches(text, "src=\"([^\"]+)\""));
        for (const std::string& link : all) {
            if (mentions(link, "://")) {
                continue;
            }
            ++links;
            CAPTURE(link);
            const auto hash = std::min(link.find('#'), link.size());
            const std::string target =
                hash == 0 ? path
                          : (std::filesystem::path(path).parent_path() / link.substr(0, hash))
                                .lexically_normal()
                                .string();
            CAPTURE(target);
            CHECK(exists(target));
            if (hash < link.size() && target.ends_with(".md")) {
                CHECK(anchors_of(target).contains(link.substr(hash + 1)));
            }
        }
    }
    CHECK(links >= 60);
    const auto named = matches(document("packaging/quickstart"), R"(\$root/([A-Za-z/]+\.md))");
    CHECK(named.size() == 1);
    for (const std::string& path : named) {
        CAPTURE(path);
        CHECK(exists(path));
    }
}

TEST_CASE("documentation: every path of the project that is named exists") {
    std::size_t paths = 0;
    for (const std::string& document_path : all_documents()) {
        CAPTURE(document_path);
        for (const std::string& path :
             matches(document(document_path),
                     "`((?:core|storage|daemon|tests|packaging|docs)/[A-Za-z0-9_./@-]+)")) {
            CAPTURE(path);
            CHECK(exists(path));
            ++paths;
        }
    }
    CHECK(paths >= 40);
}

TEST_CASE("documentation: every folder has its row in the architecture") {
    Names folders{"tests", "packaging", "precompiled"};
    const std::filesystem::path root = test::project_root;
    for (const char* top : {"core", "storage", "daemon"}) {
        for (const auto& entry : std::filesystem::recursive_directory_iterator(root / top)) {
            if (entry.path().extension() == ".hpp") {
                const auto folder = entry.path().parent_path().lexically_relative(root).string();
                if (folder != "daemon") {  // main.cpp and program.cpp, which only start commands
                    folders.insert(folder);
                }
            }
        }
    }
    CHECK(folders.size() >= 17);
    check_documented(documented(section(document("docs/architecture.md"), "Rooms"), "folder"),
                     folders);
}
