import java.io.InputStream;
import java.io.OutputStream;
import java.net.Socket;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.EnumSet;
import java.io.ByteArrayInputStream;
import org.apache.sshd.client.SshClient;
import org.apache.sshd.client.channel.ClientChannel;
import org.apache.sshd.client.channel.ClientChannelEvent;
import org.apache.sshd.client.keyverifier.AcceptAllServerKeyVerifier;
import org.apache.sshd.client.session.ClientSession;
import org.apache.sshd.common.keyprovider.FileKeyPairProvider;
import org.apache.sshd.common.util.net.SshdSocketAddress;
import org.apache.sshd.sftp.client.SftpClient;
import org.apache.sshd.sftp.client.SftpClientFactory;

/** Apache MINA's client: PORT KEY FILE ECHO, as each client here. */
public final class MinaClient {
    public static void main(String[] given) throws Exception {
        Duration most = Duration.ofSeconds(60);
        SshClient client = SshClient.setUpDefaultClient();
        client.setServerKeyVerifier(AcceptAllServerKeyVerifier.INSTANCE);
        client.setKeyIdentityProvider(new FileKeyPairProvider(Path.of(given[1])));
        client.start();
        int status;
        try (ClientSession session =
                client.connect("person", "127.0.0.1", Integer.parseInt(given[0])).verify(most).getSession()) {
            session.auth().verify(most);

            byte[] sent = new byte[300_000];
            Arrays.fill(sent, (byte) 'x');
            try (SftpClient files = SftpClientFactory.instance().createSftpClient(session)) {
                try (OutputStream out = files.write(given[2])) {
                    out.write(sent);
                }
                try (InputStream in = files.read(given[2])) {
                    if (!Arrays.equals(sent, in.readAllBytes())) {
                        throw new IllegalStateException("another file came back");
                    }
                }
            }

            SshdSocketAddress near = session.startLocalPortForwarding(
                    new SshdSocketAddress("127.0.0.1", 0),
                    new SshdSocketAddress("127.0.0.1", Integer.parseInt(given[3])));
            try (Socket socket = new Socket("127.0.0.1", near.getPort())) {
                socket.getOutputStream().write("forwarded\n".getBytes());
                System.out.write(socket.getInputStream().readNBytes(10));
            }

            ClientChannel command = session.createExecChannel("cat; exit 9");
            command.setIn(new ByteArrayInputStream("words\n".getBytes()));
            command.setOut(System.out);
            command.open().verify(most);
            command.waitFor(EnumSet.of(ClientChannelEvent.CLOSED), most);
            status = command.getExitStatus();
        }
        System.out.flush();
        client.stop();
        System.exit(status);
    }
}
