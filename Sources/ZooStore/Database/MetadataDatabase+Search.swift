// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import GRDB
package import ZooCore

extension MetadataDatabase {
    /// The largest number of matches that are ranked.
    ///
    /// The rank of a match is computed from its words, and to rank all matches of a frequent word in a
    /// catalogue of 100,000 entries takes longer than all else in a search.
    static let rankedMatches = 5000

    /// Searches the catalogue.
    ///
    /// Matches in the name count ten times, in the family four times, and in the licence and modality
    /// twice as much as matches in the summary (BM25). Equal ranks are in ascending order of names. Where
    /// more than 5,000 entries match, those whose name has all words come first, and of both groups only
    /// the 5,000 that were added last are ranked and returned; `total` counts them all.
    ///
    /// - Throws: ``ZooError`` with a `database.*` code.
    package func search(_ query: CatalogueQuery) throws(ZooError) -> CatalogueMatches {
        guard !query.isHopeless else { return CatalogueMatches(entries: [], total: 0) }
        let search = CatalogueStatements(query)
        let (lines, total) = try file.read { database in
            let total = try search.count(database)
            let best = try search.best(of: total, database)
            // The lines are read for the best matches alone, not for all that are sorted.
            let line = try database.cachedStatement(sql: "SELECT line FROM model WHERE id = ?")
            return (try best.compactMap { try String.fetchOne(line, arguments: [$0]) }, total)
        }
        var entries: [RegistryCatalogue.Entry] = []
        for line in lines { entries.append(try RegistryCatalogue.Entry(line: Array(line.utf8))) }
        return CatalogueMatches(entries: entries, total: total)
    }
}

/// The statements of one search.
private struct CatalogueStatements {
    /// The expression of the full-text index; nil when there is no word.
    let expression: String?
    /// The conditions on the columns of `model`, each after `AND`, and their values.
    let filters: String
    let values: StatementArguments
    /// The positions of the matches to return.
    let page: Range<Int>

    init(_ query: CatalogueQuery) {
        expression = query.expression
        var (filters, values) = ("", StatementArguments())
        for (column, value) in [
            ("kind", query.kind?.rawValue), ("family", query.family),
            ("licence", query.licence), ("modality", query.modality),
        ] {
            guard let value else { continue }
            filters += " AND model.\(column) = ?"
            values += [value]
        }
        (self.filters, self.values) = (filters, values)
        let start = min(max(0, query.offset), 1 << 32)
        page = start..<start + min(max(0, query.limit), CatalogueQuery.largestLimit)
    }

    /// The tables with the words, and with the columns of the filters only where there are any.
    ///
    /// `CROSS JOIN` keeps the order: with the index of a filter first, SQLite would search the words once
    /// for each model with that value.
    private var tables: String {
        filters.isEmpty ? "words" : "words CROSS JOIN model ON model.id = words.rowid"
    }

    /// The number of all matches.
    func count(_ database: Database) throws -> Int {
        guard let expression else {
            let sql = "SELECT count(*) FROM model WHERE true\(filters)"
            return try Int.fetchOne(database, sql: sql, arguments: values) ?? 0
        }
        let sql = "SELECT count(*) FROM \(tables) WHERE words MATCH ?\(filters)"
        return try Int.fetchOne(database, sql: sql, arguments: [expression] + values) ?? 0
    }

    /// The identifiers of the best matches.
    func best(of total: Int, _ database: Database) throws -> [Int64] {
        guard let expression else {
            return try Int64.fetchAll(
                database,
                sql: """
                    SELECT id FROM model WHERE true\(filters) ORDER BY name LIMIT ? OFFSET ?
                    """,
                arguments: values + [page.count, page.lowerBound]
            )
        }
        guard total > MetadataDatabase.rankedMatches else {
            return Array(try ranked(expression, database).dropFirst(page.lowerBound))
        }
        let named = try ranked("name : (\(expression))", database)
        let isNamed = Set(named)
        let others = try ranked(expression, database).filter { !isNamed.contains($0) }
        return Array((named + others).prefix(page.upperBound).dropFirst(page.lowerBound))
    }

    /// The matches up to the end of the page, best first, of those that were added last.
    private func ranked(_ expression: String, _ database: Database) throws -> [Int64] {
        try Int64.fetchAll(
            database,
            sql: """
                SELECT found.id FROM (
                    SELECT words.rowid AS id, bm25(words, 10, 1, 4, 2, 2) AS score
                    FROM \(tables) WHERE words MATCH ?\(filters)
                    ORDER BY words.rowid DESC LIMIT \(MetadataDatabase.rankedMatches)
                ) AS found CROSS JOIN model ON model.id = found.id
                ORDER BY found.score, model.name LIMIT ?
                """,
            arguments: [expression] + values + [page.upperBound]
        )
    }
}
