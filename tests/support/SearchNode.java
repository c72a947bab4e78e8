import java.util.List;
import java.util.Map;
import org.opensearch.common.settings.Settings;
import org.opensearch.env.Environment;
import org.opensearch.http.HttpServerTransport;
import org.opensearch.node.InternalSettingsPreparer;
import org.opensearch.node.Node;
import org.opensearch.transport.Netty4Plugin;

/**
 * An OpenSearch of one node on loopback, in the folder given, until standard
 * input ends. Prints the address that it answers HTTP at.
 */
public final class SearchNode extends Node {
    private SearchNode(Environment environment) {
        super(environment, List.of(Netty4Plugin.class), false);
    }

    public static void main(String[] arguments) throws Exception {
        Settings settings = Settings.builder()
            .put("path.home", arguments[0])
            .put("node.name", "test")
            .put("http.host", "127.0.0.1").put("http.port", "0")
            .put("http.type", "netty4")
            .put("transport.host", "127.0.0.1").put("transport.port", "0")
            .put("transport.type", "netty4")
            .put("discovery.type", "single-node")
            .put("node.processors", 2)
            .put("cluster.routing.allocation.disk.threshold_enabled", false)
            .build();
        Node node = new SearchNode(InternalSettingsPreparer.prepareEnvironment(
            settings, Map.of(), null, () -> "test"));
        node.start();
        System.out.println(node.injector().getInstance(HttpServerTransport.class)
            .boundAddress().publishAddress());
        while (System.in.read() >= 0) {
        }
        node.close();
        System.exit(0);
    }
}
